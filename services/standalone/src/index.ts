export { controlSocketPath, runOnControlSocket } from './control-socket.ts'
export { type Offline, type StandaloneOptions, startOffline } from './standalone.ts'
