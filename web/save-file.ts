/** Gives a text to the person as a file of their own machine. */
export function saveFile(name: string, text: string, type = 'text/csv'): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has taken it by the next turn of its loop; later it would only hold memory.
  setTimeout(() => URL.revokeObjectURL(address))
}

/** Rows as RFC 4180 has them. A text that a spreadsheet would run as a formula is made plain by a quote before it. */
export function csvOf(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null): string => {
    if (value === null) return ''
    if (typeof value === 'number') return String(value)
    const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
  }
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}
