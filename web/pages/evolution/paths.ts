/** Addresses of changes, and what their list can be narrowed to. */
import { writeSearch } from '../../search.ts'

export const CHANGE_FILTERS = ['open'] as const
export const changePath = (id: string, search: { gate?: string | undefined } = {}): string =>
  `/evolution/${encodeURIComponent(id)}${writeSearch(search)}`
