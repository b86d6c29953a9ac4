export class Refusal extends Error {}
/** Tree hashes by path; '' is the whole. */
export function hashTree(folder: string, skip?: readonly string[]): Map<string, string>
export function packagesKey(lock: string): string
