/** Parts of the settings, grouped as their list shows them. */
export const SECTION_GROUPS = {
  agents: ['providers', 'policies', 'budgets'],
  access: ['secrets', 'tokens', 'people'],
  system: ['runtime', 'about'],
  browser: ['appearance', 'keyboard'],
} as const
export type Section = (typeof SECTION_GROUPS)[keyof typeof SECTION_GROUPS][number]
export const SECTIONS: readonly Section[] = Object.values(SECTION_GROUPS).flat()
