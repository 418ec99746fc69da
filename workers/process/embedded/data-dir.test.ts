import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { claimDataDir, isClaimed } from './data-dir.ts'

const top = mkdtempSync(join(tmpdir(), 'paidan-test-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

test('of twenty that claim one folder at once, one gets it; after its release the next may', async () => {
  const path = join(top, 'a', 'b')
  const claims = await Promise.allSettled(Array.from({ length: 20 }, () => claimDataDir(path)))
  const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []))
  expect(won).toHaveLength(1)
  for (const claim of claims) {
    if (claim.status === 'rejected') expect(claim.reason).toMatchObject({ code: 'data_dir_in_use' })
  }
  await expect(claimDataDir(path)).rejects.toThrow(`(process ${process.pid})`)
  await won[0]?.release()
  await (await claimDataDir(path)).release()
})

test('another name for the same folder is the same folder', async () => {
  const claim = await claimDataDir(join(top, 'real'))
  symlinkSync(join(top, 'real'), join(top, 'alias'))
  await expect(claimDataDir(join(top, 'alias'))).rejects.toMatchObject({ code: 'data_dir_in_use' })
  await claim.release()
})

test('other folders are other claims', async () => {
  const claims = await Promise.all([claimDataDir(join(top, 'x')), claimDataDir(join(top, 'y'))])
  await Promise.all(claims.map((claim) => claim.release()))
})

test('who only asks learns whether it is claimed, and takes nothing', async () => {
  const path = join(top, 'asked')
  expect(await isClaimed(path)).toBe(false)
  const claim = await claimDataDir(path)
  expect([await isClaimed(path), await isClaimed(path)]).toEqual([true, true])
  await claim.release()
  expect(await isClaimed(path)).toBe(false)
})
