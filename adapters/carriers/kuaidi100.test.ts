import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { projectRoot } from '../shared/root.ts'
import type { CarrierRefusalCode } from './carrier.ts'
import { kuaidi100, receiveKuaidi100, signKuaidi100, trackStateOf } from './kuaidi100.ts'

const fixture = (name: string) => readFileSync(join(projectRoot(), 'adapters/carriers/fixtures', name), 'utf8')
const salt = 'R7pQ2x'
const pushed = fixture('kuaidi100.push.param.json')

function form(fields: Record<string, string>): Uint8Array {
  return Buffer.from(new URLSearchParams(fields).toString())
}

function push(param: string) {
  return receiveKuaidi100(form({ param, sign: signKuaidi100(param, salt) }), salt)
}

const altered = (change: (push: Record<string, unknown>, result: Record<string, unknown>) => void): string => {
  const value = JSON.parse(pushed) as Record<string, unknown>
  change(value, value.lastResult as Record<string, unknown>)
  return JSON.stringify(value)
}

test('an account without a salt lets nobody in', () => {
  const answer = receiveKuaidi100(form({ param: pushed, sign: signKuaidi100(pushed, '') }), '')
  expect(answer).toEqual({ outcome: 'refused', code: 'bad_signature' })
})

describe('kuaidi100', () => {
  test('signs as its own demo does', () => {
    expect(signKuaidi100('{"status":"polling"}', 'abc')).toBe('AD7D7E4B7942A3F16693578B6079837B')
    expect(signKuaidi100(pushed, salt)).toBe('BA061078588469ED54905F88B11DF8F2')
  })

  test('pushes a parcel on its way', () => {
    const track = { carrier: 'shunfeng', waybill: 'SF7444400031887', state: 'in_transit' }
    const occurredAt = Date.parse('2026-11-11T20:11:00+08:00')
    const told = { track: { ...track, occurredAt }, body: pushed, carrierOld: null }
    expect(push(pushed)).toEqual({ outcome: 'track', ...told })
  })

  test('pushes a parcel that was signed for', () => {
    const track = { state: 'delivered', occurredAt: Date.parse('2026-11-12T09:30:00+08:00') }
    expect(push(fixture('kuaidi100.push.signed.param.json'))).toMatchObject({ outcome: 'track', track })
  })

  test('is verified over the decoded text, in either case of the hex', () => {
    const sign = signKuaidi100(pushed, salt).toLowerCase()
    expect(receiveKuaidi100(form({ sign, param: pushed }), salt).outcome).toBe('track')
  })

  test.each([
    ['another salt', form({ param: pushed, sign: signKuaidi100(pushed, 'other') }), 'bad_signature'],
    ['no sign', form({ param: pushed }), 'bad_signature'],
    ['half a sign', form({ param: pushed, sign: signKuaidi100(pushed, salt).slice(16) }), 'bad_signature'],
    ['a longer sign', form({ param: pushed, sign: `${signKuaidi100(pushed, salt)}00` }), 'bad_signature'],
    ['an empty sign', form({ param: pushed, sign: '' }), 'bad_signature'],
    ['a changed text', form({ param: `${pushed} `, sign: signKuaidi100(pushed, salt) }), 'bad_signature'],
    ['no param', form({ sign: 'x' }), 'malformed'],
    ['no form', Buffer.from('{}'), 'malformed'],
    ['bytes that are no text', Buffer.from([0x70, 0xff, 0x00, 0x3d]), 'malformed'],
  ] as [string, Uint8Array, CarrierRefusalCode][])('refuses %s', (_, body, code) => {
    expect(receiveKuaidi100(body, salt)).toEqual({ outcome: 'refused', code })
  })

  test.each([
    ['no JSON', '{'],
    ['an array', '[]'],
    ['an unknown status', altered((value) => Object.assign(value, { status: 'x' }))],
    ['no waybill', altered((_, result) => Object.assign(result, { nu: '' }))],
    ['a waybill with control characters', altered((_, result) => Object.assign(result, { nu: 'a\nb' }))],
    ['a step without a time', altered((_, result) => Object.assign(result, { data: [{}] }))],
    ['no state', altered((_, result) => Object.assign(result, { state: null }))],
    ['steps that are no list', altered((_, result) => Object.assign(result, { data: 1 }))],
  ])('refuses a verified push with %s', (_, param) => {
    expect(push(param)).toEqual({ outcome: 'refused', code: 'malformed' })
  })

  test('has nothing to say yet: ignored', () => {
    expect(push(altered((_, result) => Object.assign(result, { data: [] })))).toEqual({ outcome: 'ignored' })
  })

  test('stops, and names the right carrier when it knows it', () => {
    const param = altered((value) => Object.assign(value, { status: 'abort', comNew: 'yuantong' }))
    const stopped = { outcome: 'stopped', carrier: 'shunfeng', waybill: 'SF7444400031887' }
    expect(push(param)).toEqual({ ...stopped, carrierNew: 'yuantong' })
    expect(push(altered((value) => Object.assign(value, { status: 'abort' })))).toEqual({
      ...stopped,
      carrierNew: null,
    })
    const told = (com: string, comOld: string) =>
      push(
        altered((value, result) => [
          Object.assign(value, { status: 'abort', comOld, comNew: 'yuantong' }),
          Object.assign(result, { com }),
        ]),
      )
    expect(told('yuantong', 'shunfeng')).toEqual({ ...stopped, carrierNew: 'yuantong' })
    expect(told('shunfeng', 'shunfeng')).toEqual({ ...stopped, carrierNew: 'yuantong' })
    expect(told('yuantong', 'yuantong')).toEqual({ ...stopped, carrier: 'yuantong', carrierNew: null })
  })

  test('a track of the right carrier names the one that was wrong', () => {
    const told = (comOld: string, comNew: string) => {
      const param = altered((value) => Object.assign(value, { status: 'polling', comOld, comNew }))
      const { outcome, ...rest } = push(param)
      return [outcome, 'carrierOld' in rest ? rest.carrierOld : undefined]
    }
    expect(told('yuantong', 'shunfeng')).toEqual(['track', 'yuantong'])
    expect(told('', '')).toEqual(['track', null])
    expect(told('shunfeng', 'shunfeng')).toEqual(['track', null])
    expect(told('yuantong', 'zhongtong')).toEqual(['track', null])
  })

  test.each(['\ud800', 'SF\udc001', 'SF\u0000', 'SF\u007f', 'SF\u0085'])(
    'no waybill is %j: it could be no key',
    (nu) => {
      const told = push(altered((value) => Object.assign(value.lastResult as object, { nu })))
      expect(told).toEqual({ outcome: 'refused', code: 'malformed' })
    },
  )

  test.each(['polling', 'shutdown', 'updateall'])('takes a push of status %s', (status) => {
    expect(push(altered((value) => Object.assign(value, { status }))).outcome).toBe('track')
  })

  test.each([
    ['0', 'in_transit'],
    ['1', 'collected'],
    ['2', 'exception'],
    ['3', 'delivered'],
    ['4', 'returned'],
    ['5', 'out_for_delivery'],
    ['6', 'returning'],
    ['7', 'forwarded'],
    ['8', 'in_transit'],
    ['10', 'in_transit'],
    ['13', 'exception'],
    ['14', 'rejected'],
    ['101', 'created'],
    ['103', 'collected'],
    ['205', 'exception'],
    ['302', 'delivered'],
    ['304', 'delivered'],
    ['401', 'exception'],
    ['501', 'out_for_delivery'],
    ['1002', 'in_transit'],
    ['99', 'in_transit'],
    ['toString', 'in_transit'],
    ['', 'in_transit'],
  ])('state %s is %s', (code, state) => {
    expect(trackStateOf(code)).toBe(state)
  })

  test('is acknowledged in its own words, and refused so that it pushes again', () => {
    expect(kuaidi100.acknowledgement.body).toBe('{"result":true,"returnCode":"200","message":"成功"}')
    const codes: CarrierRefusalCode[] = ['bad_signature', 'malformed', 'unknown_account', 'body_too_large', 'try_again']
    for (const code of codes) {
      const answer = kuaidi100.refusal(code)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(JSON.parse(answer.body)).toMatchObject({ result: false })
    }
  })

  test('never makes it throw', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void receiveKuaidi100(bytes, salt)))
    fc.assert(fc.property(fc.json(), (param) => void push(param)))
  })
})
