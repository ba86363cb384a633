/** The command line of tactusctl, its own options apart from the command's words. */
export interface Options {
  readonly words: readonly string[]
  readonly file: string | undefined
  readonly data: string | undefined
  readonly json: boolean
  readonly help: boolean
}

const flags: Readonly<Record<string, 'file' | 'data' | 'json' | 'help'>> = {
  '--config': 'file',
  '-c': 'file',
  '--data': 'data',
  '-d': 'data',
  '--json': 'json',
  '--help': 'help',
  '-h': 'help',
}

/** Takes tactusctl's own options out, wherever they stand; what follows `--` is left alone. */
export function splitOptions(args: readonly string[]): Options {
  const end = args.indexOf('--')
  const left = end < 0 ? [...args] : args.slice(0, end)
  const words: string[] = []
  const found = { file: undefined, data: undefined, json: false, help: false } as Found
  while (left.length > 0) {
    const word = left.shift() ?? ''
    const [name, inline] = splitOnce(word)
    const flag = flags[name]
    if (flag === undefined) words.push(word)
    else if (flag === 'json' || flag === 'help') found[flag] = true
    else found[flag] = inline ?? left.shift() ?? ''
  }
  if (end >= 0) words.push(...args.slice(end + 1))
  return { words, ...found }
}

interface Found {
  file: string | undefined
  data: string | undefined
  json: boolean
  help: boolean
}

function splitOnce(word: string): readonly [string, string?] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)]
}
