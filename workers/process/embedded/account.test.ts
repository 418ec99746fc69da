import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isKnown, neededCapability, serverAccount } from './account.ts'

const top = mkdtempSync(join(tmpdir(), 'paidan-test-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const folder = join(top, 'folder')
const program = join(folder, 'program')
mkdirSync(folder)
writeFileSync(program, '')

const stranger = { uid: 4_000_000, gid: 4_000_000 }
const setpcap = 1n << 8n
const override = (1n << 1n) | setpcap
const search = (1n << 2n) | setpcap

test.each([
  { modes: [0o755, 0o755, 0o755], held: override | search, needs: null },
  { modes: [0o711, 0o755, 0o755], held: override | search, needs: null },
  { modes: [0o700, 0o755, 0o755], held: override | search, needs: 'dac_read_search' },
  { modes: [0o755, 0o700, 0o755], held: override | search, needs: 'dac_read_search' },
  { modes: [0o755, 0o755, 0o711], held: override | search, needs: 'dac_read_search' },
  { modes: [0o700, 0o700, 0o700], held: override | search, needs: 'dac_override' },
  { modes: [0o700, 0o755, 0o755], held: override, needs: 'dac_override' },
  { modes: [0o755, 0o755, 0o700], held: search, needs: 'unavailable' },
  { modes: [0o700, 0o755, 0o755], held: (1n << 1n) | (1n << 2n), needs: 'unavailable' },
  { modes: [0o755, 0o755, 0o755], held: 0n, needs: null },
  { modes: [0o700, 0o755, 0o755], held: 0n, needs: 'unavailable' },
])('a stranger below $modes, when we hold $held: $needs', ({ modes, held, needs }) => {
  const [topMode = 0, folderMode = 0, programMode = 0] = modes
  chmodSync(program, programMode)
  chmodSync(folder, folderMode)
  chmodSync(top, topMode)
  expect(neededCapability(stranger, [program], held)).toBe(needs)
  chmodSync(top, 0o755)
  chmodSync(folder, 0o755)
})

test('a user that the system does not have is not known', async () => {
  expect(await isKnown(stranger)).toBe(false)
  expect(await isKnown({ uid: process.getuid!(), gid: 0 })).toBe(true)
})

test('the servers never run as root', async () => {
  const account = await serverAccount(null)
  if (process.getuid?.() === 0) expect(account?.uid).toBeGreaterThan(0)
  else expect(account).toBeNull()
})
