import { describe, expect, test } from 'vitest'
import { pointOfAdcode, resolveAddress } from '../../router/address.ts'
import { loadDivisions } from './load.ts'

const divisions = loadDivisions()

describe('real addresses, as platforms write them', () => {
  test.each<[province: string, city: string, district: string, adcode: string | null]>([
    ['浙江省', '杭州市', '余杭区', '330110'],
    ['北京', '大兴区', '亦庄经济开发区', '110115'],
    ['北京', '北京市', '朝阳区', '110105'],
    ['北京市', '市辖区', '海淀区', '110108'],
    ['北京市', '', '东城区', '110101'],
    ['北京市', '北京市', '亦庄经济开发区', '110100'],
    ['北京市', '北京市', '密云县', '110118'],
    ['天津', '天津', '和平', '120101'],
    ['上海', '上海市', '浦东', '310115'],
    ['重庆', '重庆市', '奉节县', '500236'],
    ['重庆市', '县', '奉节县', '500236'],
    ['吉林省', '长春市', '朝阳区', '220104'],
    ['辽宁', '沈阳', '和平', '210102'],
    ['江苏省', '南京市', '鼓楼区', '320106'],
    ['江苏省', '徐州市', '鼓楼区', '320302'],
    ['福建', '福州', '鼓楼', '350102'],
    ['河南', '开封市', '鼓楼区', '410204'],
    ['湖北省', '仙桃市', '', '429004'],
    ['湖北', '省直辖县级行政区划', '仙桃市', '429004'],
    ['湖北', '仙桃市', '干河街道', '429004'],
    ['湖北', '神农架', '', '429021'],
    ['河南省', '济源市', '济源市', '419001'],
    ['海南', '陵水', '', '469028'],
    ['海南省', '儋州市', '那大镇', '460400'],
    ['广东省', '东莞市', '南城街道', '441900'],
    ['广东', '中山', '', '442000'],
    ['内蒙古', '呼和浩特', '新城', '150102'],
    ['广西', '南宁市', '青秀区', '450103'],
    ['新疆', '石河子市', '', '659001'],
    ['新疆维吾尔自治区', '伊犁哈萨克自治州', '伊宁县', '654021'],
    ['贵州', '黔东南州', '凯里市', '522601'],
    ['湖北', '恩施', '恩施市', '422801'],
    ['山西', '阳泉市', '郊区', '140311'],
    ['香港特别行政区', '香港岛', '中西区', '810000'],
    ['香港', '', '', '810000'],
    ['澳门', '', '', '820000'],
    ['台湾省', '台北市', '大安区', '710000'],
    ['浙江', '杭州', '临平区', '330100'],
    ['Atlantis', '', '', null],
  ])('%s %s %s → %s', (province, city, district, adcode) => {
    expect(resolveAddress(divisions, { province, city, district })?.adcode ?? null).toBe(adcode)
  })
})

test('every point lies in China', () => {
  expect(divisions.points.size).toBe(3511)
  for (const { lat, lng } of divisions.points.values()) {
    expect(lat > 3 && lat < 54).toBe(true)
    expect(lng > 73 && lng < 136).toBe(true)
  }
})

test('a code without a point of its own has the one above', () => {
  expect(pointOfAdcode(divisions, '139001')).toEqual(pointOfAdcode(divisions, '130000'))
})
