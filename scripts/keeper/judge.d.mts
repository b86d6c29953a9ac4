type Beat = { n?: number; ended?: number; failed?: number; lag?: number; rss?: number }
type Usual = { ended: number; failed: number; lag: number }
export function openJudge(
  usual: Usual | null | undefined,
  scale?: number,
): { usual(): Usual; wrong(beat: Beat): string | null; leak(): string | null }
