import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { readEnvironment, readText } from './environment.ts'
import { explain } from './explain.ts'
import { type Environment, fileTrouble, interpolate } from './interpolate.ts'
import { ConfigError, type Problem } from './problem.ts'
import { childOf, isSection, kindOf, type Path, type Schema, unwrap } from './schema-walk.ts'
import { emptyTree, isTree, Origins, type Section, setValue } from './tree.ts'
import { isUrl } from './values/location.ts'
import { readYaml } from './yaml-source.ts'

/** A value that stands above file and environment: a flag. */
export interface Override {
  readonly path: Path
  readonly value: unknown
  /** How the reader knows it: `--data`. */
  readonly origin: string
}

/** Where a configuration comes from; flags > environment > file > defaults. */
export interface Sources {
  /** The file to read. It must exist. */
  readonly file?: string | undefined
  /** Read when `file` is not given, and only if it exists. */
  readonly defaultFile?: string | undefined
  /** Stands for the text of `file`, which is then not opened. */
  readonly text?: string | undefined
  readonly environment?: Environment | undefined
  readonly overrides?: readonly Override[] | undefined
}

/** A configuration that may be used, with what `showConfig` needs. */
export interface Loaded<T> {
  readonly config: T
  readonly schema: Schema
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined
  readonly origins: Origins
}

interface File {
  readonly tree: Section
  readonly keys: Origins
  readonly values: Origins
  readonly problems: Problem[]
  readonly path: string | undefined
}

function chooseFile({ file, defaultFile, text }: Sources): string | undefined {
  if (file !== undefined || text !== undefined) return file ?? 'tactus.yaml'
  return defaultFile !== undefined && existsSync(defaultFile) ? defaultFile : undefined
}

function readFile(sources: Sources): File {
  const path = chooseFile(sources)
  const nothing = { tree: emptyTree(), keys: new Origins(), values: new Origins(), path }
  if (path === undefined) return { ...nothing, problems: [] }
  try {
    const text = sources.text ?? readFileSync(path, 'utf8')
    const source = readYaml(text, basename(path))
    return { ...source, problems: [...source.problems], path }
  } catch (error) {
    const message = `cannot read the configuration: ${fileTrouble(error)}`
    return { ...nothing, problems: [{ origin: path, path: '', message }] }
  }
}

/** What is put in for a number or a switch is read as one; elsewhere it stays the text it is. */
const isFigure = (schema: Schema | undefined): boolean =>
  schema !== undefined && ['boolean', 'number'].includes(unwrap(schema)._zod.def.type)

/** Settles what a file leaves to its surroundings: empty sections, `${…}` and relative paths. */
class Settler {
  readonly #file: File
  readonly #environment: Environment

  constructor(file: File, environment: Environment) {
    this.#file = file
    this.#environment = environment
  }

  settle(value: unknown, schema: Schema | undefined, path: Path): unknown {
    if (typeof value === 'string') return this.#text(value, schema, path)
    if (Array.isArray(value))
      return value.map((item, index) =>
        this.settle(item, schema && childOf(schema, index), [...path, index]),
      )
    if (isTree(value))
      for (const key of Object.keys(value))
        this.#key(value, key, schema && childOf(schema, key), path)
    return value
  }

  /** A key with nothing behind it is as good as one that is not there. */
  #key(section: Section, key: string, schema: Schema | undefined, path: Path): void {
    if (section[key] !== null || !schema)
      section[key] = this.settle(section[key], schema, [...path, key])
    else if (isSection(schema)) section[key] = emptyTree()
    else delete section[key]
  }

  #text(text: string, schema: Schema | undefined, path: Path): unknown {
    try {
      const value = interpolate(text, this.#environment)
      const isPath = kindOf(schema)?.name === 'location' && value !== '' && !isUrl(value)
      if (isPath) return resolve(dirname(this.#file.path ?? '.'), value)
      return value !== text && isFigure(schema) ? readText(value, schema) : value
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const origin = this.#file.values.nearest(path)
      this.#file.problems.push({ origin, path: path.join('.'), message })
      return text
    }
  }
}

/**
 * Reads a configuration against a schema.
 *
 * @throws {ConfigError} with everything that is wrong, not only the first thing
 */
export function load<S extends z.ZodType>(schema: S, sources: Sources): Loaded<z.output<S>> {
  const environment = sources.environment ?? process.env
  const file = readFile(sources)
  const { tree, keys, values, problems } = file
  new Settler(file, environment).settle(tree, schema, [])

  const variables = readEnvironment(environment, schema, tree)
  problems.push(...variables.problems)
  for (const { path, value, origin } of [...variables.values, ...(sources.overrides ?? [])]) {
    setValue(tree, path, value)
    keys.replace(path, origin)
    values.replace(path, origin)
  }

  const result = schema.safeParse(tree)
  if (!result.success)
    for (const issue of result.error.issues)
      problems.push(...explain(issue, { schema, tree, keys, values }))
  if (problems.length > 0 || !result.success) throw new ConfigError(unique(problems))
  return { config: result.data, schema, file: file.path, origins: values }
}

/** One mistake can be met twice, by the interpolation and by the schema: the first tells more. */
function unique(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(
    ({ origin, path }, index) =>
      path === '' ||
      problems.findIndex((other) => other.origin === origin && other.path === path) === index,
  )
}
