/** The runtime's own log, newest first: by level, by words, by goal; each line leads to what it speaks of. */
import { getRouteApi } from '@tanstack/react-router'
import { Download, FileSearch } from 'lucide-react'
import { useDeferredValue, useRef, useState } from 'react'
import type { LogLine } from '../../../core/contract/api-system.ts'
import { LOG_LEVELS } from '../../../core/contract/log-level.ts'
import { useActions } from '../../actions.ts'
import { useGo } from '../../route.ts'
import { saveFile } from '../../save-file.ts'
import { writeSearch } from '../../search.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Link } from '../../ui/link.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { system } from '../../words/system.ts'
import { clockTime, dayAndTime, dayOf } from '../../words/words.ts'
import { LOG_EVERY_MS, useLog } from './use-log.ts'

const route = getRouteApi('/system')
const words = system.logs
const STEP = 200
const TONES = { debug: 'idle', info: 'idle', warn: 'you', error: 'bad' } as const

export function Logs() {
  const ask = route.useSearch()
  const go = useGo()
  const field = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(ask.q ?? '')
  const [most, setMost] = useState(STEP)
  const q = useDeferredValue(typed).trim().toLowerCase()
  const level = ask.level ?? 'info'
  const follow = ask.follow !== '0'
  const read = useLog(level, ask.tree, follow)
  const set = (change: Record<string, string | undefined>) => go(`/system${writeSearch({ ...ask, ...change })}`, 'replace')
  const asked = q.split(/\s+/).filter(Boolean)
  const fits = (line: LogLine) => asked.every((word) => line.text.toLowerCase().includes(word))
  useActions([
    { id: 'logs.follow', label: words.follow, group: words.lines, keys: 'f', run: () => set({ follow: follow ? '0' : undefined }) },
    { id: 'logs.search', label: words.search, group: words.lines, keys: '/', run: () => field.current?.focus() },
    ...LOG_LEVELS.map((one) => ({
      id: `logs.${one}`,
      label: words.levels[one],
      group: words.lines,
      run: () => set({ level: one }),
    })),
  ])
  return (
    <div className="system-part">
      <div className="part-head log-head">
        <SearchBox
          label={words.search}
          ref={field}
          value={typed}
          placeholder={words.searchPlaceholder}
          onChange={(event) => {
            setTyped(event.target.value)
            set({ q: event.target.value })
          }}
        />
        <div className="log-level">
          <Select
            label={words.level}
            value={level}
            options={LOG_LEVELS.map((value) => ({ value, label: words.levels[value] }))}
            choose={(value) => set({ level: value })}
          />
        </div>
        <Switch label={words.follow} on={follow} set={(on) => set({ follow: on ? undefined : '0' })} />
        {ask.tree && (
          <Button look="quiet" small onClick={() => set({ tree: undefined })} title={words.allGoals}>
            {words.onlyGoalOff(ask.tree)}
          </Button>
        )}
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={follow ? LOG_EVERY_MS : null} again={() => void read.refetch()} />
      </div>
      <Reading read={read} label={system.reading} failed={words.failed} effect={words.failedEffect} lines={8}>
        {(lines) => {
          const found = lines.filter(fits).reverse()
          if (found.length === 0) {
            return (
              <EmptyState icon={FileSearch} title={words.none}>
                {words.noneHow}
              </EmptyState>
            )
          }
          const shown = found.slice(0, most)
          return (
            <>
              <ol className="log" aria-label={words.lines}>
                {shown.map((line) => (
                  <Line key={line.n} line={line} only={ask.tree} choose={(tree) => set({ tree })} />
                ))}
              </ol>
              <div className="part-head">
                <span className="dim">{words.shown(shown.length, found.length)}</span>
                {found.length > most && (
                  <Button small onClick={() => setMost(most + STEP)}>
                    {words.more}
                  </Button>
                )}
                <span className="grow" />
                <Button
                  look="quiet"
                  small
                  onClick={() =>
                    saveFile(
                      'banyan-log.jsonl',
                      found
                        .map((line) => `${JSON.stringify(line)}\n`)
                        .reverse()
                        .join(''),
                      'application/jsonl',
                    )
                  }
                >
                  <Download aria-hidden="true" /> {words.save}
                </Button>
              </div>
            </>
          )
        }}
      </Reading>
    </div>
  )
}

function Line({ line, only, choose }: { line: LogLine; only: string | undefined; choose: (treeId: string) => void }) {
  const { treeId, taskId } = line
  return (
    <li className={`log-line log-${line.level}`}>
      <time dateTime={line.at} title={dayAndTime(line.at)}>
        <span className="dim">{dayOf(line.at)}</span> {clockTime(line.at)}
      </time>
      <span className={`log-word tone-${TONES[line.level]}`}>{words.words[line.level]}</span>
      <span className="log-text">{line.text}</span>
      <span className="log-links">
        {treeId && !only && <IconButton icon={FileSearch} label={words.onlyGoal} onClick={() => choose(treeId)} />}
        {taskId ? (
          <Link to={`/t/${encodeURIComponent(taskId)}`}>{words.openTask}</Link>
        ) : (
          treeId && <Link to={`/trees/${encodeURIComponent(treeId)}`}>{words.openGoal}</Link>
        )}
      </span>
    </li>
  )
}
