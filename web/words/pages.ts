/** Titles of the pages, as the rail, the palette and the tab show them. */
export const pages = {
  home: 'Home',
  goals: 'Goals',
  goal: 'Goal',
  task: 'Task',
  reviews: 'Reviews',
  review: 'Review',
<<<<<<< HEAD
  agents: 'Agents',
  agent: 'Agent',
  documents: 'Documents',
  document: 'Document',
  tools: 'Tools',
  tool: 'Tool',
  system: 'System',
  settings: 'Settings',
=======
  rules: 'Rules',
>>>>>>> eea877b (The review queue is a page of its own: list, item and place in the goal; decisions can be undone for five seconds)
  missing: 'No such page',
} as const
