/**
 * The scripts as they are sent. Their being known to a Redis process is our mark on it (see client.ts), so the key
 * prefix is part of the text: two installations that share a Redis do not vouch for each other's counters.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../shared/root.ts'

/** `reload` is not among them: it is sent whole, since it has to work in a Redis that is in doubt. */
export const markedVerbs = ['reserve', 'confirm', 'release', 'apply', 'inspect'] as const
export type MarkedVerb = (typeof markedVerbs)[number]

export interface Script {
  readonly text: string
  readonly sha: string
}

export type Scripts = Readonly<Record<MarkedVerb | 'reload', Script>>

export function readScripts(prefix: string): Scripts {
  const folder = join(projectRoot(), 'adapters', 'stock')
  const common = readFileSync(join(folder, 'common.lua'), 'utf8')
  const read = (verb: string): Script => {
    const text = `-- keys: ${prefix}\n${common}\n${readFileSync(join(folder, `${verb}.lua`), 'utf8')}`
    return { text, sha: createHash('sha1').update(text).digest('hex') }
  }
  return {
    reserve: read('reserve'),
    confirm: read('confirm'),
    release: read('release'),
    apply: read('apply'),
    inspect: read('inspect'),
    reload: read('reload'),
  }
}
