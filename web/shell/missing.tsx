/** An address that leads nowhere. */
import { useLocation } from '@tanstack/react-router'
import { Link } from '../ui/link.tsx'
import { shell } from '../words/shell.ts'

export function Missing() {
  const path = useLocation({ select: (location) => location.pathname })
  return (
    <div className="notice">
      <h1>{shell.missing.title(path)}</h1>
      <p>
        {shell.missing.why} <Link to="/">{shell.missing.back}</Link>
      </p>
    </div>
  )
}
