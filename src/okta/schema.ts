/** The parts of Okta's answers that gots reads. @see https://developer.okta.com/docs/api/openapi/okta-management/ */
import * as z from "zod";
import { OKTA_USER_STATUSES } from "../config/schema.ts";

/** A group, from `GET /api/v1/groups`. */
export const oktaGroupSchema = z.object({
  id: z.string().min(1),
  type: z.string().optional(),
  profile: z.object({ name: z.string() }),
});

/** A member, from `GET /api/v1/groups/{id}/users`. */
export const oktaUserSchema = z.object({
  id: z.string().min(1),
  status: z.enum(OKTA_USER_STATUSES),
  profile: z.object({
    login: z.string(),
    email: z.string().nullish(),
    /** Names are only shown: an invalid one must not fail the reading of a group. */
    firstName: z.string().nullish().catch(undefined),
    lastName: z.string().nullish().catch(undefined),
  }),
});

/** An error body. @see https://developer.okta.com/docs/reference/error-codes/ */
export const oktaErrorSchema = z.object({
  errorCode: z.string(),
  errorSummary: z.string(),
  errorId: z.string().optional(),
});

/** An Okta group. */
export type OktaGroup = z.output<typeof oktaGroupSchema>;

/** An Okta user. */
export type OktaUser = z.output<typeof oktaUserSchema>;
