import type { ServerResponse } from 'node:http'

/** A part of a path; empty for what is none. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** Refuses a page in a word. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  if (status === 503) response.setHeader('Retry-After', '10')
  response.writeHead(status).end(`${text}\n`)
}
