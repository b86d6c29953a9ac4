// Runs one call of a made tool inside its walls: the input comes on stdin, the answer goes out once, marked with a word that the tool was
// never told. What is needed after the tool's code was loaded is taken beforehand, so that code which changes built-in objects changes no mark.
import { readFileSync, writeSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

// What every tool needs is loaded while nobody waits: this process may have been started long before its call.
stripTypeScriptTypes('')

const { nonce, input, workspace, limit } = JSON.parse(readFileSync(0, 'utf8'))
const { stringify } = JSON
const leave = process.reallyExit.bind(process)
const { setTimeout } = globalThis
const [String_, isError] = [String, (value) => value instanceof Error]
const apply = Reflect.apply
const { slice } = String.prototype

let answered = false
function say(kind, json) {
  if (answered) return
  answered = true
  put(`\n${nonce} ${kind} ${json}\n`)
  leave(0)
}
function put(text) {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error // whoever reads is busy: again
    }
  }
}
function threw(error) {
  const plain = isError(error)
  const text = (value) => apply(slice, typeof value === 'string' ? value : String_(value), [0, 4_000])
  try {
    say(
      'threw',
      stringify({
        name: plain ? text(error.name) : 'thrown',
        message: plain ? text(error.message) : text(error),
        stack: plain ? text(error.stack) : '',
      }),
    )
  } catch {
    say('threw', '{"name":"thrown","message":"something that cannot be shown","stack":""}')
  }
}
process.on('uncaughtException', threw)

try {
  const { default: tool } = await import('/tool/tool.ts')
  if (typeof tool !== 'function') say('shape', '"The source has no default export that is a function."')
  else {
    // A promise that nothing will ever settle ends the process without an answer; the timer keeps it until its time is over.
    setTimeout(() => undefined, 2 ** 30)
    const result = await tool(input, { workspace })
    let json
    try {
      json = stringify(result === undefined ? null : result)
    } catch (error) {
      say('shape', stringify(`The result is not JSON: ${apply(slice, String_(error?.message), [0, 300])}`))
    }
    if (typeof json !== 'string') say('shape', '"The result is not JSON: it is a function or a symbol."')
    else if (json.length > limit) say('shape', `"The result is ${json.length} characters of JSON, more than the ${limit} that it may be."`)
    else say('result', json)
  }
} catch (error) {
  threw(error)
}
