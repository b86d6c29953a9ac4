// Runs inside the walls: hands every connection to a port of the command's own loopback over to the one socket that leads out. It judges
// nothing and knows no token; what passes is decided at the other end. Plain JavaScript, because Node runs it from where there is no project.
import { closeSync, openSync, writeSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [socket, port] = process.argv.slice(2)
// It ends with the walls: a command that was asked to end may still need it for its last words.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined)

createServer({ allowHalfOpen: true }, (inside) => {
  const outside = connect({ path: socket, allowHalfOpen: true })
  for (const [one, other] of [
    [inside, outside],
    [outside, inside],
  ]) {
    one.on('error', () => other.destroy())
    one.on('close', (failed) => failed && other.destroy())
    one.pipe(other)
  }
}).listen(Number(port), '127.0.0.1', () => {
  writeSync(1, 'ready')
  closeSync(1) // whoever started it waits for this
  openSync('/dev/null', 'w') // takes the free number, which libuv would not let a connection have
})
