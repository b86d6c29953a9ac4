/** Titles of the pages, as the rail, the palette and the tab show them. */
export const pages = {
  home: 'Home',
  goals: 'Goals',
  goal: 'Goal',
  task: 'Task',
  reviews: 'Reviews',
  review: 'Review',
  rules: 'Rules',
  agents: 'Agents',
  agent: 'Agent',
  documents: 'Documents',
  document: 'Document',
  tools: 'Tools',
  tool: 'Tool',
  system: 'System',
  settings: 'Settings',
  missing: 'No such page',
} as const
