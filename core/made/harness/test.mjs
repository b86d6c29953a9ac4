// Runs the tests of a made tool inside its walls, with node:test in this process, and tells how each went in one marked line at the end.
import { readFileSync, writeSync } from 'node:fs'
import { run } from 'node:test'

const { nonce, file, timeoutMs } = JSON.parse(readFileSync(0, 'utf8'))
const { stringify } = JSON
const leave = process.reallyExit.bind(process)
const { String: String_ } = globalThis

const tests = []
let ended = 0
const words = (error) => {
  const from = error?.cause ?? error
  const text = from?.stack ?? from?.message ?? from
  return String_(text ?? 'it failed').slice(0, 1_500)
}
const events = run({ files: [file], isolation: 'none', concurrency: 1, timeout: timeoutMs })
for await (const { type, data } of events) {
  if (type !== 'test:pass' && type !== 'test:fail') continue
  if (data.details?.type === 'suite') continue
  const left = data.skip !== undefined || data.todo !== undefined
  tests[ended++] = {
    name: String_(data.name).slice(0, 200),
    ok: type === 'test:pass',
    left,
    words: type === 'test:fail' ? words(data.details?.error) : '',
  }
  if (ended >= 200) break
}
let rest = Buffer.from(`\n${nonce} tests ${stringify(tests)}\n`)
while (rest.length > 0) {
  try {
    rest = rest.subarray(writeSync(1, rest))
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error // whoever reads is busy: again
  }
}
leave(0)
