/** Places of a template's goal, `{{name}}`, and filling them. Pure. */

const PLACE = /\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g
/** Names of the places of a goal, in order. */
export const placesIn = (goal: string): string[] => [...new Set([...goal.matchAll(PLACE)].map(([, name]) => name!))]
/** Each place with its value; a value is not looked through for places. */
export const filled = (goal: string, values: Readonly<Record<string, string>>): string =>
  goal.replace(PLACE, (place, name: string) => values[name] ?? place)
