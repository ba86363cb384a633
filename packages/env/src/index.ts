export { type Cancel, type Clock, type Env, sleep } from './env.ts'
export { realEnv } from './real-env.ts'
