/** Files of this machine that come with a goal. */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { ROUTES } from '../../core/contract/api.ts'
import { call, notRunning, refusalOf, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'

/** Sends a file for a goal to come, or has the server fetch it when it is an address of the web, and answers its id. */
export async function send(server: Server, path: string): Promise<string> {
  if (/^https?:\/\//i.test(path)) return (await call(server, 'fetchUpload', { body: { url: path } })).id
  let file: Blob
  try {
    file = await openAsBlob(path)
  } catch (error) {
    throw new Ended(EXIT.usage, `${path} cannot be read: check the path given to --attach.`, { cause: error })
  }
  const { method, path: route, response } = ROUTES.addUpload
  let answer: Response
  try {
    answer = await fetch(`${server.url}${route}?name=${encodeURIComponent(basename(path))}`, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        'content-type': 'application/octet-stream',
        ...(server.token === null ? {} : { authorization: `Bearer ${server.token}` }),
      },
      body: file,
    })
  } catch (error) {
    throw notRunning(server, error)
  }
  const text = await answer.text()
  if (!answer.ok) throw refusalOf(server, answer.status, text)
  return response.parse(JSON.parse(text)).id
}
