#!/usr/bin/env node
import { bootstrap } from './bootstrap.mjs'

const [target, ...args] = process.argv.slice(2)
await bootstrap(target, args)
