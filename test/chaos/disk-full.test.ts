import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { canOwnServices, TestServer } from '@tactus/testkit'
import { Chance } from './chance.ts'
import { isKept } from './ledger.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

const password = 'a glooming peace'
const accounts = Array.from({ length: 10 }, (_, index) => `full${index}@montague.example`)
/** How long there is no space, ms. */
const fullFor = 4_000

/** A small disk that temporary folders are made on while this is there. */
class SmallDisk implements Disposable {
  readonly folder: string
  readonly #before = process.env.TMPDIR

  private constructor(folder: string) {
    this.folder = folder
    process.env.TMPDIR = folder
  }

  /** Undefined, and the test skipped, where this user may not mount anything. */
  static mount(context: TestContext, megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'tactus-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=777`, 'tmpfs', folder], {
        stdio: 'pipe',
      })
    } catch {
      rmdirSync(folder)
      context.diagnostic('a disk of its own may not be mounted here: not tested')
      return undefined
    }
    return new SmallDisk(folder)
  }

  /** Takes all space, for so long as `during` runs. */
  async fill(during: () => Promise<void>): Promise<void> {
    const path = join(this.folder, 'ballast')
    const file = await open(path, 'w')
    const page = Buffer.alloc(4_096)
    try {
      for (;;) writeSync(file.fd, page)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
    await during()
    await file.close()
    rmSync(path)
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = this.#before
    execFileSync('umount', ['-l', this.folder])
    rmdirSync(this.folder)
  }
}

/** Clients talk while the disk is full; what was accepted arrives, and it goes on by itself when there is space. */
async function survives(disk: SmallDisk, server: TestServer): Promise<void> {
  await using workload = new Workload({
    jids: accounts.map((jid) => `${jid}/r`),
    password,
    ports: () => server.doors.flatMap(({ ready }) => ready.ports.c2s ?? []),
    rate: 60,
    disturbed: 0,
    chance: new Chance(27),
    patience: 60_000,
  })
  await workload.start()
  await goesOn(workload)
  await disk.fill(async () => {
    await pause(fullFor)
    const { accepted, sent } = workload.ledger.verdict()
    assert(sent > accepted, 'what cannot be kept is not accepted')
  })
  await goesOn(workload)
  workload.quiet()
  await workload.settle(30_000)
  const verdict = workload.ledger.verdict()
  assert.equal(verdict.accepted, verdict.sent)
  assert(isKept(verdict), JSON.stringify(verdict))
  assert.deepEqual(workload.violations, [])
  assert.deepEqual(workload.errors, [])
  assert.deepEqual([...workload.endings], [], 'clients stay connected')
}

async function goesOn(workload: Workload): Promise<void> {
  const { delivered } = workload.ledger.verdict()
  const since = performance.now()
  while (workload.ledger.verdict().delivered < delivered + 50) {
    assert(performance.now() - since < 30_000, 'it goes on')
    await pause(20)
  }
}

test('F27, F33: the disk of the standalone server is full, and has space again', async (context) => {
  using disk = SmallDisk.mount(context, 24)
  if (!disk) return
  await using server = await TestServer.standalone()
  for (const jid of accounts) await server.addUser(jid, password)
  await survives(disk, server).catch((error) => {
    process.stderr.write(`${server.output}\n`)
    throw error
  })
})

test('F11, F27: the disk of Redis and Postgres is full, and has space again', async (context) => {
  if (!canOwnServices(context)) return
  using disk = SmallDisk.mount(context, 400)
  if (!disk) return
  await using world = await World.start()
  await world.addUsers(accounts)
  await survives(disk, world.server).catch((error) => {
    process.stderr.write(`${world.server.output}\n`)
    throw error
  })
})
