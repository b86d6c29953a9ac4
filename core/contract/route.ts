/** What a route of the HTTP interface is, and the small shapes that all parts of the route table share. */
import * as z from 'zod'
import type { RouteScope } from './access.ts'

export const text = z.string()
export const time = z.string().meta({ format: 'date-time' })
export const count = z.number().int().min(0)
/** A word of a query, where numbers are text. */
export const wholeQuery = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(least).max(most))
export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: text.nullable() })
/** `cursor` is the `nextCursor` of the page before. */
export const page = { cursor: text.max(300).optional(), limit: wholeQuery(1, 200).default(50) }

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
export type Route = {
  method: Method
  /** As OpenAPI writes it; `{id}` of a review may hold slashes, encoded or not. */
  path: string
  /** What the caller must be allowed; `access.ts` says what each means. */
  scope: RouteScope
  summary: string
  /** Status of success. */
  status: number
  /** Body; absent where there is none. `optionalBody`: an empty one means `{}`. */
  request?: z.ZodType
  optionalBody?: true
  /** Takes an Idempotency-Key: the same request again does nothing twice. */
  keyed?: true
  /** The body is a file, of any type, as it comes. */
  upload?: true
  /** Where the answer may be a file instead of JSON. */
  download?: true
  query?: z.ZodObject
  /** Absent: no body, or not JSON. */
  response?: z.ZodType
  /** Answered without a login. */
  open?: true
}

export const one = <const R extends Route>(route: R): R => route
