/** Why nothing came from the hub, through no fault of what was asked for. */
export class HubFailure extends Error {
  constructor(
    message: string,
    /** Whether it may pass: a broken connection, a busy server. */
    readonly mayPass = false,
  ) {
    super(message)
  }
}
