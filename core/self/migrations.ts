/** What a new migration may do without a person who looks after the database: add, and nothing else. Pure. */

const TAKES =
  /\.drop(?:Table|Column|Index|View|Schema|Constraint|Type)\b|\.rename(?:To|Column)\b|\.setNotNull\b|\.alterColumn\b|\bdropNotNull\b|\.deleteFrom\b|\.updateTable\b|\.truncate/
const SQL_TAKES = /\b(?:drop|delete|truncate|rename|update|replace|vacuum|attach|pragma)\b/i

/** One sentence without its stop for each fault. `down` may take away what `up` added. */
export function migrationFaults(path: string, text: string): string[] {
  const faults: string[] = []
  if (!/^core\/store\/migrations\/\d{4}-[a-z-]+\.ts$/.test(path)) faults.push(`${path} is not named like a migration (0001-name.ts)`)
  const up = /export async function up\b([\s\S]*?)(?=\nexport |$)/.exec(text)?.[1]
  if (up === undefined) return [...faults, `${path} has no \`up\``]
  if (!/export async function down\b/.test(text)) faults.push(`${path} has no \`down\``)
  if (TAKES.test(up)) faults.push(`${path} takes something away in \`up\`; a migration on this way only adds`)
  if ([...up.matchAll(/sql`([^`]*)`/g)].some(([, words]) => SQL_TAKES.test(words!)))
    faults.push(`${path} changes or removes rows in \`up\`; a migration on this way only adds`)
  if (/\bimport\b(?!\s+(?:type\b|\{[^}]*\}\s+from\s+'kysely'))/.test(text.replace(/^import type .*$/gm, '')))
    faults.push(`${path} imports more than kysely`)
  const number = /export const number = (\d+)/.exec(text)?.[1]
  if (number === undefined || Number(number) !== Number(/(\d{4})-/.exec(path)?.[1]))
    faults.push(`${path} does not have the number of its name`)
  return faults
}

/** The list of migrations may only grow, by those that are new in this change: one import and one name each. `diff`: its patch. Pure. */
export function listFaults(diff: string, made: number): string[] {
  const lines = diff.split('\n')
  const added = lines.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.slice(1))
  const imports = added.filter((line) => /^import \* as \w+ from '\.\/migrations\/\d{4}-[a-z-]+\.ts'$/.test(line))
  const names = added.filter((line) => /^ {2}\w+,$/.test(line))
  if (lines.some((line) => /^-(?!--)/.test(line)) || imports.length !== made || names.length !== made || added.length !== 2 * made)
    return ['the list of migrations may only get one import and one name for each that is new']
  return []
}
