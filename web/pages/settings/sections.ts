/** Parts of the settings, grouped as their list shows them. */
export const SECTION_GROUPS = {
  agents: ['providers', 'policies', 'budgets'],
  programs: ['clients', 'servers'],
  access: ['secrets', 'tokens', 'people'],
  system: ['runtime', 'about'],
  browser: ['appearance', 'keyboard'],
} as const
export type Section = (typeof SECTION_GROUPS)[keyof typeof SECTION_GROUPS][number]
export const SECTIONS: readonly Section[] = Object.values(SECTION_GROUPS).flat()

/** One key for each. A new part takes a key that is free; the others keep theirs. */
export const SECTION_KEYS: Readonly<Record<Section, string>> = {
  providers: '1',
  policies: '2',
  budgets: '3',
  secrets: '4',
  tokens: '5',
  people: '6',
  runtime: '7',
  about: '8',
  appearance: '9',
  keyboard: '0',
  clients: '-',
  servers: '=',
}
