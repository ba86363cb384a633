import { test } from 'node:test'
import { tellAllStories } from './tell.ts'

test('all stories, told to a standalone server over real sockets', () =>
  tellAllStories('standalone'))
