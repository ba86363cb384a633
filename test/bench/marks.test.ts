import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Marks } from './load/marks.ts'

test('marks are found wherever the text is cut', () => {
  const text = "<iq id='~7~'/><message><body>~12~ But, soft!</body></message><iq id='~8~'/>"
  for (let cut = 0; cut <= text.length; cut++) {
    const marks = new Marks()
    const pieces = [text.slice(0, cut), text.slice(cut)]
    const found = pieces.flatMap((piece) => marks.find(piece))
    assert.deepEqual(found, [7, 12, 8], `cut at ${cut}`)
  }
})
