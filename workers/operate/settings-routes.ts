/** Settings as HTTP endpoints. */
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { updateCarrierAccount, updateNode, updateShop, updateSku } from './change-settings.ts'
import { orThrow } from './or-throw.ts'
import { type SettingsContext, setCarrierAccount, setNode, setShop, setSku } from './settings.ts'
import { settingsViews } from './settings-views.ts'

export function settingsRoutes(context: SettingsContext): JsonRoute[] {
  return [
    implement(contract.putShop, async ({ params, body }) => {
      orThrow(await setShop(context, params, body))
      return ok({ ok: true })
    }),
    implement(contract.putCarrierAccount, async ({ params, body }) => {
      const { salt, previousSalt, ...given } = body
      const { credentials = saltOnly(salt) ?? {}, previousCredentials = saltOnly(previousSalt), previousUntil } = given
      orThrow(await setCarrierAccount(context, params, { credentials, previousCredentials, previousUntil }))
      return ok({ ok: true })
    }),
    implement(contract.putSku, async ({ params, body }) => {
      const { requiresShipping, bundle = [], ...rest } = body
      const virtual = requiresShipping ? {} : { requiresShipping }
      orThrow(await setSku(context, { sku: params.sku, ...rest, ...virtual, bundle }))
      return ok({ ok: true })
    }),
    implement(contract.putNode, async ({ params, body }) => {
      orThrow(await setNode(context, params.node, body))
      return ok({ ok: true })
    }),
    implement(contract.patchShop, async ({ params, body }) => {
      orThrow(await updateShop(context, params, body))
      return ok({ ok: true })
    }),
    implement(contract.patchCarrierAccount, async ({ params, body }) => {
      orThrow(await updateCarrierAccount(context, params, body))
      return ok({ ok: true })
    }),
    implement(contract.patchSku, async ({ params, body }) => {
      orThrow(await updateSku(context, params.sku, body))
      return ok({ ok: true })
    }),
    implement(contract.patchNode, async ({ params, body }) => {
      orThrow(await updateNode(context, params.node, body))
      return ok({ ok: true })
    }),
    ...settingsViews(context),
  ]
}

/** The body of version 0.1.0, which knew one carrier service. */
const saltOnly = (salt: string | undefined) => (salt === undefined ? undefined : { salt })
