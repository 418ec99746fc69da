/**
 * Who the embedded servers run as, and how they are told.
 *
 * Postgres refuses to run as root, so as root both servers run as an unprivileged system user. That user may be unable
 * to enter the folder that the project lies in (a clone below a 0700 folder of root's): then, and only then, the server
 * gets the one capability that lets it pass. As any other user the servers run as that user.
 */
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { EmbeddedError } from './errors.ts'

const run = promisify(execFile)

export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface Launch {
  readonly command: string
  readonly arguments: readonly string[]
  /** For `spawn`, where setpriv is not there to change the user. */
  readonly options: { readonly uid?: number; readonly gid?: number }
}

const systemUser = 'paidan'
const fallbackUser = 'nobody'

/**
 * null: run as ourselves. `existingData` is a folder that a server made earlier; the owner of the folder owns the
 * server, so that data survive a change of machine or user.
 */
export async function serverAccount(existingData: string | null): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null
  if (existingData !== null) {
    const { uid, gid } = statSync(existingData)
    if (uid !== 0) return { uid, gid }
  }
  for (let tries = 0; tries < busyTries; tries++) {
    const account = (await lookUp(systemUser)) ?? (await createSystemUser())
    // Another program that changed the list of users at the same time may have overwritten our entry.
    if (account === null) break
    if (await isKnown(account)) return account
    await delay(busyWaitMs)
  }
  return await lookUp(fallbackUser)
}

/** Whether the system has a user of that number: servers look their own one up. */
export async function isKnown({ uid }: Account): Promise<boolean> {
  try {
    await run('id', ['-nu', String(uid)])
    return true
  } catch {
    return false
  }
}

async function lookUp(name: string): Promise<Account | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

// useradd's own words for "another program is changing the password or group file right now".
const busyExitCodes: readonly unknown[] = [1, 10]
const busyTries = 20
const busyWaitMs = 100

async function createSystemUser(): Promise<Account | null> {
  const words = ['--system', '--user-group', '--no-create-home', '--home-dir', '/', '--shell', '/usr/sbin/nologin']
  for (let tries = 0; tries < busyTries; tries++) {
    try {
      await run('useradd', [...words, systemUser])
      break
    } catch (error) {
      // Missing, not permitted, or another start has just made the user: the look-up tells.
      if (!busyExitCodes.includes((error as { code?: unknown }).code)) break
      await delay(busyWaitMs)
    }
  }
  return lookUp(systemUser)
}

/**
 * How to start `command` so that it runs as `account`, gets `deathSignal` when we die, and gains no rights later on.
 * `paths`: what it must reach; `command` is one of them unless it is looked up in PATH.
 */
export async function launch(
  command: string,
  args: readonly string[],
  account: Account | null,
  deathSignal: 'INT' | 'TERM',
  paths: readonly string[],
): Promise<Launch> {
  if (!(await setprivKnows(deathSignal))) {
    return { command, arguments: args, options: account === null ? {} : { uid: account.uid, gid: account.gid } }
  }
  const words = ['--pdeathsig', deathSignal, '--no-new-privs']
  if (account !== null) {
    words.push('--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups')
    const all = isAbsolute(command) ? [command, ...paths] : paths
    const capability = neededCapability(account, all)
    if (capability === 'unavailable') {
      throw new EmbeddedError(
        'data_dir_not_reachable',
        `The servers run as user ${account.uid}, who cannot reach all of ${all.join(', ')}. Let others enter the folders ` +
          'above them (chmod o+x), or put the project and DATA_DIR elsewhere, or set DATABASE_URL and REDIS_URL.',
      )
    }
    if (capability !== null) {
      words.push(`--inh-caps=-all,+${capability}`, `--ambient-caps=+${capability}`)
      // access(2) leaves an ordinary user's capabilities out of account unless this is set, and Postgres looks for its
      // own programs with access(2). What the exec leaves of root's capabilities is still only the one named above.
      words.push('--securebits=+no_setuid_fixup')
    }
  }
  return { command: 'setpriv', arguments: [...words, '--', command, ...args], options: {} }
}

async function setprivKnows(deathSignal: string): Promise<boolean> {
  try {
    await run('setpriv', ['--pdeathsig', deathSignal, '--no-new-privs', 'true'])
    return true
  } catch {
    return false
  }
}

const capabilityBits = { dac_override: 1n, dac_read_search: 2n, setpcap: 8n } as const
type Capability = 'dac_override' | 'dac_read_search'

/**
 * The weakest capability that `account` needs for all `paths`; null when it needs none; unavailable when we hold none
 * that would do. `held`: the bits that may be handed down.
 */
export function neededCapability(
  account: Account,
  paths: readonly string[],
  held: bigint = heldCapabilities(),
): Capability | null | 'unavailable' {
  const ways = paths.map((path) => reach(path, account))
  if (ways.every((way) => way === 'free')) return null
  const has = (name: keyof typeof capabilityBits): boolean => (held & (1n << capabilityBits[name])) !== 0n
  if (!has('setpcap')) return 'unavailable'
  // dac_read_search passes folders and reads files; only dac_override executes a file that is not executable for all.
  if (!ways.includes('not_executable') && has('dac_read_search')) return 'dac_read_search'
  return has('dac_override') ? 'dac_override' : 'unavailable'
}

type Way = 'free' | 'not_searchable' | 'not_executable'

function reach(path: string, account: Account): Way {
  const file = statSync(path)
  if (!permits(file, account, 1)) return file.isDirectory() ? 'not_searchable' : 'not_executable'
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!permits(statSync(folder), account, 1)) return 'not_searchable'
    if (folder === dirname(folder)) break
  }
  return permits(file, account, 4) ? 'free' : 'not_searchable'
}

/** bit: 4 read, 1 execute or search. */
function permits(file: { uid: number; gid: number; mode: number }, account: Account, bit: 4 | 1): boolean {
  if (file.uid === account.uid) return (file.mode & (bit << 6)) !== 0
  if (file.gid === account.gid) return (file.mode & (bit << 3)) !== 0
  return (file.mode & bit) !== 0
}

/** What we may hand down: effective and not cut off by the bounding set. */
function heldCapabilities(): bigint {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    const set = (name: string): bigint =>
      BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`)
    return set('CapEff') & set('CapBnd')
  } catch {
    return 0n
  }
}
