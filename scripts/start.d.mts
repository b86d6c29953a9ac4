/** The copy of the keeper that runs, and the one of this checkout; with `replace` the latter becomes the former. */
export function installKeeper(home: string, options: { replace: boolean }): { running: string; wanted: string }
export function fillBallast(home: string): void
