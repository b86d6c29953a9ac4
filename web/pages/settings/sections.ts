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

/** One key for each, in the order of the list. */
export const SECTION_KEYS: Readonly<Record<Section, string>> = Object.fromEntries(
  SECTIONS.map((section, i) => [section, '1234567890-='[i] ?? '']),
) as Record<Section, string>
