/** Parts of the system page, in their order. */
export const SYSTEM_TABS = ['overview', 'workers', 'queue', 'dead', 'providers', 'logs', 'doctor', 'backups', 'storage'] as const
export type SystemTab = (typeof SYSTEM_TABS)[number]
