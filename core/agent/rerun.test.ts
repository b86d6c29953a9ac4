import { afterEach, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted, startAll } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
afterEach(async () => {
  expect((await h?.end()) ?? []).toEqual([])
  h = undefined
})
const open = async (decide: (request: ModelRequest) => Scripted | Promise<Scripted>): Promise<Harness> => {
  h = await harness(decide)
  return h
}
const words = (request: ModelRequest): string[] => request.messages.flatMap((m) => (m.role === 'user' ? [m.text] : []))
const facts = async (type: string) => (await h!.runtime.store.eventsAfter(0, { limit: 5_000 })).filter((e) => e.type === type)

describe('a rerun', () => {
  test('from the task itself with other words does those, and the first ones stay in the history', async () => {
    const { goal, over, runtime } = await open((request) => endWith(`${request.task.instruction} | ${words(request).join(' | ')}`))
    const id = await goal('Count the apples')
    await over(id)
    await runtime.tasks.control(id, { verb: 'rerun', by: 'anna', from: 1, message: 'Count the pears' })
    expect(await over(id)).toMatchObject({ instruction: 'Count the pears', result: 'Count the pears | Count the pears', status: 'done' })
    const history = await runtime.tasks.messages(id)
    expect(history[0]).toMatchObject({ n: 1, text: 'Count the apples' })
    expect(history.filter((m) => m.role === 'user' && m.instruction)).toMatchObject([{ text: 'Count the pears', rewindTo: 1 }])
    expect(await facts('task.rerun')).toMatchObject([
      { taskId: id, from: 1, replaced: 'instruction', instruction: 'Count the pears', stopped: [], by: 'anna' },
    ])
    // Whatever is rerun later, the task is the new one.
    for (const from of [1, 2, history.find((m) => m.role === 'user' && m.instruction)!.n]) {
      await runtime.tasks.control(id, { verb: 'rerun', by: 'anna', from })
      expect((await over(id)).result).toBe('Count the pears | Count the pears | A person reruns this task from here. Do it anew.')
    }
  })

  test('from what a person said puts other words in its place; from anything else they are said beside it', async () => {
    let told: string[] = []
    const { goal, over, runtime } = await open((request) => {
      told = words(request)
      return endWith('done')
    })
    const id = await goal('Count')
    await over(id)
    await runtime.tasks.control(id, { verb: 'retry', by: 'owner' }).catch(() => undefined) // it succeeded: refused
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', message: 'Count slowly' })
    await over(id)
    expect(told).toEqual(['Count', 'Count slowly'])
    const said = (await runtime.tasks.messages(id)).find((m) => m.role === 'user' && m.text === 'Count slowly')!
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: said.n, message: 'Count fast' })
    await over(id)
    expect(told).toEqual(['Count', 'Count fast'])
    const answer = (await runtime.tasks.messages(id)).findLast((m) => m.role === 'tool')!
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: answer.n, message: 'And again' })
    await over(id)
    expect(told).toEqual(['Count', 'Count fast', 'And again'])
    expect((await facts('task.rerun')).map((fact) => 'replaced' in fact && fact.replaced)).toEqual([null, 'words', null])
    await expect(runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: 1, message: ' ' })).rejects.toThrow(/needs words/)
  })

  test('with a model is answered by that one, its new subtasks too, until a person says otherwise', async () => {
    const models: string[] = []
    const { goal, over, runtime } = await open((request) => {
      models.push(`${request.task.instruction}: ${request.model}`)
      if (request.task.instruction !== 'Whole') return endWith('part')
      return answersIn(request).length === 0 ? startAll(['Part']) : endWith('whole')
    })
    const id = await goal('Whole')
    await over(id)
    const plain = models.splice(0)
    expect(new Set(plain.map((one) => one.split(': ')[1])).size).toBe(1)
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: 1, model: 'scripted/other' })
    expect(await over(id)).toMatchObject({ model: 'scripted/other' })
    expect(models.splice(0)).toEqual(['Whole: other', 'Part: other', 'Whole: other'])
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: 1, model: null })
    expect(await over(id)).toMatchObject({ model: null })
    expect(models).toEqual(plain)
  })

  test('may start again what it stopped below it', async () => {
    let release: () => void = () => undefined
    const first = new Promise<void>((resolve) => {
      release = resolve
    })
    let runs = 0
    const { goal, over, until, runtime } = await open(async (request) => {
      if (request.task.instruction === 'Part') {
        if (++runs === 1) await first
        return endWith('part')
      }
      return answersIn(request).length === 0 ? startAll(['Part']) : endWith(answersIn(request).join())
    })
    const id = await goal('Whole')
    await until(id, (t) => t.status === 'waiting')
    await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: 1 })
    release()
    expect((await over(id)).result).not.toMatch(/a person stopped this subtask/)
    expect((await facts('task.rerun'))[0]).toMatchObject({ stopped: [expect.stringContaining(`${id}.`)] })
    expect((await runtime.tasks.children(id)).map((t) => t.status)).toEqual(['cancelled', 'done'])
  })
})
