/** The seed of all random tests of a run. */
const seedDefault = 20_261_201

/** Throws on what is no seed: a run that draws from another one than was meant proves nothing. */
export function seedOfRun({ PAIDAN_SEED: given = '' }: Readonly<Record<string, string | undefined>>): number {
  if (given === '') return seedDefault
  if (!/^\d{1,9}$/.test(given)) throw new RangeError('PAIDAN_SEED has to be a whole number of at most nine digits')
  return Number(given)
}
