/** What `doctor` was asked, as it was given on the command line. */
export interface DoctorRequest {
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  readonly jwksUri: string | undefined;
  readonly token: string | undefined;
  readonly allowHttp: boolean;
  readonly timeoutMs: number;
  readonly clockToleranceSeconds: number;
}
