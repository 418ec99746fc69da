/**
 * The scripts as they are sent. A Redis process that knows them is one whose counters we loaded (see client.ts). The
 * key prefix is part of the text, so that of two installations that share a Redis each knows only its own counters as
 * loaded.
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
