/** What waits for a person, told outside of the page: on the tab's icon, and by the browser if the person asked for that. */
import { useEffect, useRef } from 'react'
import { useReviews } from '../data/use-reviews.ts'
import { usePrefs } from '../prefs.ts'
import { useGo } from '../route.ts'
import { notices } from '../words/notices.ts'

const SIDE = 64

/** Draws the number onto the icon of the tab; none: the icon as it is. */
export function useIconCount(count: number): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]')
    if (!link) return
    link.dataset.plain ??= link.href
    const { plain } = link.dataset
    if (count === 0) {
      link.href = plain
      return
    }
    let isOld = false
    const image = new Image(SIDE, SIDE)
    image.onload = () => {
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = SIDE
      const pen = canvas.getContext('2d')
      if (isOld || !pen) return
      pen.drawImage(image, 0, 0, SIDE, SIDE)
      pen.fillStyle = '#c2410c'
      pen.beginPath()
      pen.arc(SIDE - 20, 20, 20, 0, 2 * Math.PI)
      pen.fill()
      pen.fillStyle = '#fff'
      pen.font = `700 ${count > 9 ? 24 : 30}px system-ui, sans-serif`
      pen.textAlign = 'center'
      pen.textBaseline = 'middle'
      pen.fillText(count > 99 ? '99' : String(count), SIDE - 20, 21)
      link.href = canvas.toDataURL('image/png')
    }
    image.src = plain
    return () => {
      isOld = true
    }
  }, [count])
}

/** A notice of the browser for each item that comes in while the page is hidden; off until the person switches it on. */
export function useNotices(): void {
  const [prefs] = usePrefs()
  const { reviews, loaded } = useReviews()
  const told = useRef<Set<string> | null>(null)
  const go = useGo()
  useEffect(() => {
    if (!loaded) return
    const open = reviews.filter((one) => one.state === 'open')
    const known = told.current
    told.current = new Set([...(known ?? []), ...open.map((one) => one.id)])
    // What was there when the page came is on the page.
    if (known === null || !prefs.notify || !document.hidden || !mayNotify()) return
    for (const one of open) {
      if (known.has(one.id)) continue
      const notice = new Notification(notices.title, { body: one.title, tag: one.id })
      notice.onclick = () => {
        focus()
        go(`/reviews/${encodeURIComponent(one.id)}`)
        notice.close()
      }
    }
  }, [reviews, loaded, prefs.notify, go])
}

const mayNotify = (): boolean => typeof Notification === 'function' && Notification.permission === 'granted'

/** Asks the browser; answers null when it may, or why it may not. */
export async function allowNotices(): Promise<string | null> {
  if (typeof Notification !== 'function' || !isSecureContext) return notices.none
  return (await Notification.requestPermission()) === 'granted' ? null : notices.denied
}
