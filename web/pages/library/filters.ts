/** What the lists and pages of the library take after `?`. Apart from the pages, because the routes know it before a page is loaded. */
export const ENTRY_FILTERS = ['on', 'off', 'changed', 'unused', 'file', 'made', 'server'] as const
export const ENTRY_TABS = ['edit', 'about', 'try', 'history', 'used'] as const
export type EntryTab = (typeof ENTRY_TABS)[number]
/** `v`, `compare`: versions in the history. `run`, `with`: goals of a test run, the draft's and the saved one's. */
export type EntryAsk = { tab?: EntryTab; v?: string; compare?: string; run?: string; with?: string }
/** A change of it; undefined takes a word away. */
export type AskChange = { [K in keyof EntryAsk]?: EntryAsk[K] | undefined }
