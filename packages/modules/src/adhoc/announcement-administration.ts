import { type FieldKind, textLinesField } from '@tactus/stanza'
import { type Administration, hostOf, required } from './administration-offer.ts'
import type { Offer, Values } from './offer.ts'

const longest = 10_000
const lines: FieldKind<string> = textLinesField(longest)

/** XEP-0133 §4.23: to who is there now. */
const announcement: Administration = {
  node: 'announce',
  title: 'Make an announcement',
  instructions: 'Fill out this form to make an announcement to all online users of this service.',
  needs: ['announce send'],
  fields: { announcement: required({ kind: lines, label: 'Announcement' }) },
  steps: (values, { step, caller }) => [
    step('announce send', { ...hostOf(caller), text: values.announcement, to: 'online' }),
  ],
}

/** The present text, for a form that changes it. */
function present(command: string, field: string): NonNullable<Offer['prefill']> {
  return {
    steps: ({ step, caller }) => [step(command, hostOf(caller))],
    values: ([output]) => {
      const { text } = output as Values
      return text === undefined ? {} : { [field]: text }
    },
  }
}

/** XEP-0133 §4.24. */
const setMotd: Administration = {
  node: 'set-motd',
  title: 'Set message of the day',
  instructions: 'Fill out this form to set the message of the day.',
  needs: ['motd set'],
  fields: { motd: required({ kind: lines, label: 'Message of the day' }) },
  steps: (values, { step, caller }) => [step('motd set', { ...hostOf(caller), text: values.motd })],
}

/** XEP-0133 §4.25. */
const editMotd: Administration = {
  ...setMotd,
  node: 'edit-motd',
  title: 'Edit message of the day',
  instructions: 'Fill out this form to correct the message of the day.',
  needs: ['motd edit', 'motd show'],
  prefill: present('motd show', 'motd'),
  steps: (values, { step, caller }) => [
    step('motd edit', { ...hostOf(caller), text: values.motd }),
  ],
}

/** XEP-0133 §4.27. */
const setWelcome: Administration = {
  node: 'set-welcome',
  title: 'Set welcome message',
  instructions: 'Fill out this form to say what new users are welcomed with.',
  needs: ['welcome set', 'welcome show'],
  fields: { welcome: required({ kind: lines, label: 'Welcome message' }) },
  prefill: present('welcome show', 'welcome'),
  steps: (values, { step, caller }) => [
    step('welcome set', { ...hostOf(caller), text: values.welcome }),
  ],
}

/** Nothing is asked: it is taken back. */
function takeBack(node: string, title: string, command: string): Administration {
  return {
    node,
    title,
    instructions: `${title}.`,
    needs: [command],
    steps: (_, { step, caller }) => [step(command, hostOf(caller))],
  }
}

/** XEP-0133 §4.23 to §4.28. */
export const announcementAdministration: readonly Administration[] = [
  announcement,
  setMotd,
  editMotd,
  takeBack('delete-motd', 'Delete message of the day', 'motd delete'),
  setWelcome,
  takeBack('delete-welcome', 'Delete welcome message', 'welcome delete'),
]
