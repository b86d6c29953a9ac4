/** What the operating system answered, by the code of its error. */

export const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
/** There is nothing at that path, or a file stands where a folder of it would be. */
export const isMissing = (error: unknown): boolean => isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')
/** For a list of a folder: none is an empty one, any other error is thrown. */
export const emptyIfMissing = (error: unknown): [] => {
  if (isCode(error, 'ENOENT')) return []
  throw error
}
