/** One number with its name; the whole of it leads to where the number comes from. */
import { Link } from '../../ui/link.tsx'

/** `value` null: not known yet. */
export function Tile(props: {
  name: string
  value: string | null
  beside?: string | undefined
  to: string
  tone?: 'run' | 'you' | 'bad' | undefined
}) {
  return (
    <li>
      <Link to={props.to} className={`tile ${props.tone ? `tile-${props.tone}` : ''}`.trim()}>
        <span className="tile-name">{props.name}</span>
        <span className="tile-value">{props.value ?? '–'}</span>
        <span className="tile-beside">{props.beside}</span>
      </Link>
    </li>
  )
}
