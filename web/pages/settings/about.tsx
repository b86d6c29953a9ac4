/** What runs here, and where to read on. */
import { ROUTES } from '../../../core/contract/api.ts'
import { duration, size } from '../../format.ts'
import { useRead } from '../../read.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { settings } from '../../words/settings.ts'
import { wholeNumber } from '../../words/words.ts'

const words = settings.about

export function About() {
  const read = useRead(ROUTES.system, undefined, { follow: true, every: 30_000 })
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Reading read={read} label={settings.reading} failed={settings.failed}>
        {(now) => {
          const lines: [string, string][] = [
            [words.version, now.version],
            [words.revision, now.revision],
            [words.schema, String(now.schema)],
            [words.node, now.nodeVersion],
            [words.up, duration(now.uptimeSeconds * 1_000)],
            [words.isolation, now.isolation],
            [words.facts, wholeNumber(now.seq)],
            ...(now.dataBytes === undefined ? [] : [[words.data, size(now.dataBytes)] as [string, string]]),
          ]
          return (
            <section className="card setting-card">
              <dl className="about">
                {lines.map(([name, value]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd className="mono">{value}</dd>
                  </div>
                ))}
              </dl>
              <CopyButton text={lines.map(([name, value]) => `${name}: ${value}`).join('\n')} label={words.copy} />
            </section>
          )
        }}
      </Reading>
      <section className="card setting-card" aria-labelledby="read-more">
        <h2 id="read-more">{words.links}</h2>
        <ul className="link-list">
          <li>
            <a href="/openapi.json">{words.openapi}</a>
          </li>
          <li>
            <a href="/health">{words.health}</a>
          </li>
          <li>
            <Link to="/system?tab=doctor">{words.checks}</Link>
          </li>
        </ul>
        <p>{words.readme}</p>
        <p>
          {words.cli} <code>{words.cliCommand}</code>
        </p>
      </section>
    </div>
  )
}
