/**
 * Hooks of Node's module loader: `?mutant=N` on one import gives that file, and all that it imports of ours, a life of its own
 * in which mutant N's snippet is replaced. The product's files stay as they are. Runs in the loader's thread.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'
import { changed, changesOf } from './mutants.ts'

export interface HookData {
  /** URL of the folder of compiled files, with a slash at its end. */
  readonly root: string
  readonly mutants: readonly Mutant[]
}

let data: HookData = { root: '', mutants: [] }

export function initialize(given: HookData): void {
  data = given
}

interface Resolved {
  readonly url: string
}

type Next<Context, Result> = (what: string, context: Context) => Promise<Result>

export async function resolve<Context extends { readonly parentURL?: string | undefined }>(
  specifier: string,
  context: Context,
  next: Next<Context, Resolved>,
): Promise<Resolved> {
  const resolved = await next(specifier, context)
  const mutant = mutantIn(context.parentURL)
  if (mutant === null || !resolved.url.startsWith(data.root)) return resolved
  const url = new URL(resolved.url)
  url.searchParams.set('mutant', mutant)
  return { ...resolved, url: url.href }
}

export async function load<Context>(url: string, context: Context, next: Next<Context, object>): Promise<object> {
  const number = mutantIn(url)
  const mutant = number === null ? undefined : data.mutants[Number(number)]
  if (mutant === undefined) return await next(url, context)
  const path = new URL(url)
  path.search = ''
  const change = changesOf(mutant).find(({ file }) => path.href === new URL(file, data.root).href)
  if (change === undefined) return await next(url, context)
  const source = changed(change, await readFile(fileURLToPath(path), 'utf8'))
  return { format: 'module', source, shortCircuit: true }
}

function mutantIn(url: string | undefined): string | null {
  return url?.startsWith('file:') ? new URL(url).searchParams.get('mutant') : null
}
