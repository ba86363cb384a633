#!/usr/bin/env node
import { bootstrap } from './bootstrap.mjs'

await bootstrap('tactusctl', process.argv.slice(2))
