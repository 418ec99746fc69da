/**
 * Statements of one transaction that are sent without waiting for each other's answers. Where Promise.all would give up at
 * the first failure, this waits until every one has ended: a rollback must not overtake what is still to be sent, since the
 * driver would send that on the same connection, after the transaction and outside of it.
 */
export async function together<const T extends readonly unknown[]>(
  statements: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(statements)
  return await Promise.all(statements)
}
