import { argumentsOf, usage } from '@tactus/ctl'
import { commandCatalogue } from '@tactus/router'
import { code, generatedNotice } from './markdown.ts'

const introduction = `# Commands

What \`npx tactusctl\` can do; with \`--json\` it answers in JSON. Every command is declared once, by the
module that it belongs to.
`

/** Every command that is offered to operators, by name. */
export function commandsPage(): string {
  const commands = commandCatalogue()
    .list()
    .filter(({ internal }) => internal !== true)
    .toSorted((left, right) => left.name.localeCompare(right.name))
  const sections = commands.map((command) => {
    const lines = argumentsOf(command)
      .filter(({ description }) => description !== '')
      .map(({ name, positional, description }) => {
        const word = positional ? name.toUpperCase() : `--${name}`
        return `* ${code(word)}: ${description}\n`
      })
    const list = lines.length > 0 ? `\n${lines.join('')}` : ''
    return `## ${command.name}\n\n${code(`tactusctl ${usage(command)}`)}\n\n${command.summary}\n${list}`
  })
  return [generatedNotice, introduction, ...sections].join('\n')
}
