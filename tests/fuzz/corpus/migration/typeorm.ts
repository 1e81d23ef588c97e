export class A1000000000000 {
 name: string = "B1000000000001"
}
class C1000000000002 { x() { q(`name = 1`) } }
