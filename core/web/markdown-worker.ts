/** The thread that `readable.ts` starts for one page and ends when it likes. An entry, not a module: it works as soon as it is loaded. */
import { parentPort, workerData } from 'node:worker_threads'
import { markdownOf } from './markdown.ts'

const { html, address } = workerData as { html: string; address: string }
parentPort!.postMessage(markdownOf(html, address))
