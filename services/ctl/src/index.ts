export { argumentsOf, findCommand, readArguments, usage } from './arguments.ts'
export { render } from './render.ts'
export { type Place, runCommand } from './runner.ts'
